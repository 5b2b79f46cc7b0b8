-- Whose turn it is now; empty if nobody's. ARGV: name.
local held = redis.call('HMGET', key('shard', ARGV[1]), 'owner', 'until')
if held[1] and tonumber(held[2] or '0') > now_ms() then
  return held[1]
end
return ''
