-- Something is spoken of again. ARGV: scope. Returns whether it was not.
local held = redis.call('ZSCORE', key('mutes'), ARGV[1])
redis.call('ZREM', key('mutes'), ARGV[1])
redis.call('DEL', key('mute', ARGV[1]))
return (held and tonumber(held) > now_ms()) and 1 or 0
