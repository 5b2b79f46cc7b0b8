-- The errand that has been due for longest, under a lease; a bot that dies over it needs no sweeper. Nothing: none is due.

local lease = tonumber(ARGV[1])
local errands = key('errands')
local now = now_ms()
for _, id in ipairs(redis.call('ZRANGEBYSCORE', errands, '-inf', whole(now), 'LIMIT', 0, 100)) do
  local errand = key('errand', id)
  if redis.call('EXISTS', errand) == 1 then
    redis.call('ZADD', errands, whole(now + lease), id)
    local fence = redis.call('INCR', key('outbox', 'fence'))
    local attempt = redis.call('HINCRBY', errand, 'attempts', 1)
    redis.call('HSET', errand, 'fence', fence)
    return { id, tostring(fence), attempt, redis.call('HGET', errand, 'told') }
  end
  redis.call('ZREM', errands, id) -- a day old: nobody waits for it any more
end
return {}
