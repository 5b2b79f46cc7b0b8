-- Nothing is said of something for a while. ARGV: scope, until (ms), the mute. One that is over takes the old one away.
local scope, ends, text = unpack(ARGV)
local record = key('mute', scope)
local left = tonumber(ends) - now_ms()
redis.call('DEL', record)
redis.call('ZREM', key('mutes'), scope)
if left > 0 then
  redis.call('HSET', record, 'mute', text)
  redis.call('PEXPIRE', record, whole(left))
  redis.call('ZADD', key('mutes'), ends, scope)
end
return 1
