-- An errand was done, or put off by `delay` ms; -1: done. 0: somebody else took it over.

local id, fence, delay = ARGV[1], ARGV[2], tonumber(ARGV[3])
local errand = key('errand', id)
if redis.call('HGET', errand, 'fence') ~= fence then
  return 0
end
if delay < 0 then
  redis.call('DEL', errand)
  redis.call('ZREM', key('errands'), id)
else
  redis.call('ZADD', key('errands'), whole(now_ms() + delay), id)
end
return 1
