-- Leases that are still on file end later; one that was given away stays so. The answer: those that are lost.
local lease, claims = unpack(ARGV)
local until_then = whole(now_ms() + tonumber(lease))
local lost = {}
for _, claim in ipairs(cjson.decode(claims)) do
  local id, fence = claim[1], claim[2]
  local has, claims = unpack(redis.call('HMGET', key('job', id), 'fence', 'claims'))
  if has == fence and redis.call('ZSCORE', key('lease'), id) then
    redis.call('ZADD', key('lease'), until_then, id)
    if tonumber(claims) < SUSPECT then
      redis.call('HSET', key('job', id), 'claims', 0) -- it does not kill its worker at once
    end
  else
    lost[#lost + 1] = id
  end
end
return lost
