-- Whose turn is it to read a vCenter? ARGV: vCenter, interval in ms. Returns 1 to one caller of the fleet per interval.
local inventory = key('inv', ARGV[1])
local now = now_ms()
if now < tonumber(redis.call('HGET', inventory, 'next') or '0') then
  return 0
end
redis.call('HSET', inventory, 'next', whole(now + tonumber(ARGV[2])))
return 1
