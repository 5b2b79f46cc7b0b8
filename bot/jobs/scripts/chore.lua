-- Whether it is time again, for whoever asks first.
local name, every = unpack(ARGV)
local now = now_ms()
if tonumber(redis.call('GET', key('chore', name)) or '0') > now then
  return 0
end
redis.call('SET', key('chore', name), whole(now + tonumber(every)), 'PX', tonumber(every) + CHORE_KEPT)
return 1
