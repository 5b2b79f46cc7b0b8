-- Keep one sample of a link, and drop what is too old or too many. The same one twice is one member of the set.
local samples, at, sample, kept, most, ahead = unpack(ARGV)
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', samples, '-inf', '(' .. whole(now - tonumber(kept)))
-- What was written by a clock that went ahead would be the newest for ever.
redis.call('ZREMRANGEBYSCORE', samples, '(' .. whole(now + tonumber(ahead)), '+inf')
if tonumber(at) < now - tonumber(kept) or tonumber(at) > now + tonumber(ahead) then
  return 0
end
redis.call('ZADD', samples, at, sample)
redis.call('ZREMRANGEBYRANK', samples, 0, -1 - tonumber(most))
redis.call('PEXPIRE', samples, kept)
return 1
