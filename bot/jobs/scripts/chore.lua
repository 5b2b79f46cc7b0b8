-- Whether it is time again, for whoever asks first.
local name, every = unpack(ARGV)
local now = now_ms()
local due = tonumber(redis.call('GET', key('chore', name)) or '0')
if due > now and due <= now + tonumber(every) then -- later than that it was written by a clock that went ahead of this one
  return 0
end
redis.call('SET', key('chore', name), whole(now + tonumber(every)), 'PX', tonumber(every) + CHORE_KEPT)
return 1
