-- The mutes that still hold, those that end first before the others; those that are over are taken away.
local now = whole(now_ms())
for _, scope in ipairs(redis.call('ZRANGEBYSCORE', key('mutes'), '-inf', now)) do
  redis.call('DEL', key('mute', scope))
end
redis.call('ZREMRANGEBYSCORE', key('mutes'), '-inf', now)
local found = {}
for _, scope in ipairs(redis.call('ZRANGE', key('mutes'), 0, -1)) do
  local text = redis.call('HGET', key('mute', scope), 'mute')
  if text then
    found[#found + 1] = text
  else
    redis.call('ZREM', key('mutes'), scope)
  end
end
return found
