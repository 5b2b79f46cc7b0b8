-- A person, or a pager, says how an incident stands. ARGV: id, state, by. Returns its hash; empty if it is not known.
local id, to, by = unpack(ARGV)
local record = key('incident', id)
local state = redis.call('HGET', record, 'state')
if not state then
  return {}
end
local allowed = {
  open = { acknowledged = true, resolved = true },
  acknowledged = { open = true, resolved = true },
  resolved = { open = true },
  merged = {},
}
if allowed[state] and allowed[state][to] then
  local now = whole(now_ms())
  redis.call('HSET', record, 'state', to, 'by', by, 'at', now)
  file(id, record, to, redis.call('HGET', record, 'opened'), now)
end
return redis.call('HGETALL', record)
