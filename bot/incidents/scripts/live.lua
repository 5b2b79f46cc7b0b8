-- What has not ended, and what ended within SHOWN, as far as `file` left it here: the newest first.
local now = now_ms()
for _, id in ipairs(redis.call('ZRANGE', LIVE, 0, -1)) do
  local ended = redis.call('ZSCORE', ENDED, id)
  if ended and tonumber(ended) < now - SHOWN then
    redis.call('ZREM', LIVE, id)
  end
end
return records(redis.call('ZREVRANGE', LIVE, 0, -1))
