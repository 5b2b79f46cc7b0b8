-- Whose turn it is. ARGV: name, owner, lease in ms, the epoch that is held (empty: stands for it).
-- Returns the epoch and 0, or an empty one and the ms after which the turn may be free.
local turn = key('shard', ARGV[1])
local now = now_ms()
local held = redis.call('HMGET', turn, 'owner', 'epoch', 'until')
local lasts = tonumber(held[3] or '0')

if ARGV[4] ~= '' then
  if held[2] ~= ARGV[4] then
    return { '', 0 }
  end
  redis.call('HSET', turn, 'owner', ARGV[2], 'until', whole(now + tonumber(ARGV[3])))
  return { ARGV[4], 0 }
end
if lasts > now and held[1] ~= ARGV[2] then
  return { '', lasts - now }
end
-- Beginning at the time of day, it grows even if Redis loses everything.
local epoch = whole(math.max(tonumber(held[2] or '0') + 1, now))
redis.call('HSET', turn, 'owner', ARGV[2], 'epoch', epoch, 'until', whole(now + tonumber(ARGV[3])))
return { epoch, 0 }
