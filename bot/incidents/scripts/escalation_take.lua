-- What has been due for longest for a sink, each under a lease: { incident, fence, ripe, and the record, ... }.
--
-- Who is found with a lease that ran out died while sending, and nobody knows whether that arrived.

local sink, lease, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = now_ms()
local found = {}
for _, incident in ipairs(redis.call('ZRANGEBYSCORE', key('escalations', sink), '-inf', whole(now), 'LIMIT', 0, limit)) do
  local record = record_of(incident, sink)
  if redis.call('EXISTS', record) == 0 then
    redis.call('ZREM', key('escalations', sink), incident)
  else
    if redis.call('HEXISTS', record, 'fence') == 1 then
      redis.call('HSET', record, 'doubt', '1')
    end
    local fence = redis.call('HINCRBY', record, 'fences', 1)
    redis.call('HSET', record, 'fence', fence, 'taken', whole(now + lease))
    due_at(incident, sink, now + lease)
    keep(incident, sink)
    local at = tonumber(redis.call('HGET', record, 'at') or '0')
    local failing = tonumber(redis.call('HGET', record, 'failing') or whole(now))
    found[#found + 1] = { incident, at <= now and 1 or 0, whole(now - failing), redis.call('HGETALL', record) }
  end
end
return found
