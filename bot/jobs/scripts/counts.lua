-- Live jobs by state: state, number, state, number.
local found = {}
for _, id in ipairs(redis.call('ZRANGE', key('live'), 0, -1)) do
  local state = redis.call('HGET', key('job', id), 'state')
  if state then
    found[state] = (found[state] or 0) + 1
  end
end
local flat = {}
for state, number in pairs(found) do
  flat[#flat + 1] = state
  flat[#flat + 1] = whole(number)
end
return flat
