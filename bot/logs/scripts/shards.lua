-- A watcher's sign of life, and all that it asks about shards, at once. ARGV: watcher, lease in ms, ms without a sign
-- after which another watcher is dead, then words: `=<shard>.<epoch>` is held and goes on, `-<shard>.<epoch>` is given
-- up, `+<shard>` is wanted if it is free. Asked twice it does the same: what is ours but unknown to us is free to us.
-- Returns: the watchers that live, shards that we held and lost, shard and epoch of those that are ours from now on.
local now = now_ms()
local me, lease = ARGV[1], tonumber(ARGV[2])
redis.call('ZADD', key('watchers'), whole(now), me)

local lost, gained = {}, {}
for at = 4, #ARGV do
  local what, number, epoch = string.match(ARGV[at], '^([=+-])(%d+)%.?(%d*)$')
  local shard = key('shard', number)
  local held = redis.call('HMGET', shard, 'owner', 'epoch', 'until')
  if what == '+' then
    if held[1] == me or tonumber(held[3] or '0') <= now then
      -- Beginning at the time of day, it grows even if Redis loses everything.
      epoch = whole(math.max(tonumber(held[2] or '0') + 1, now))
      redis.call('HSET', shard, 'owner', me, 'epoch', epoch, 'until', whole(now + lease))
      gained[#gained + 1] = number
      gained[#gained + 1] = epoch
    end
  elseif held[2] ~= epoch then
    if what == '=' then
      lost[#lost + 1] = number
    end
  elseif what == '=' then
    redis.call('HSET', shard, 'owner', me, 'until', whole(now + lease))
  else
    redis.call('HDEL', shard, 'owner', 'until')
  end
end
return { redis.call('ZRANGEBYSCORE', key('watchers'), whole(now - tonumber(ARGV[3])), '+inf'), lost, gained }
