-- The turn is given back, if it is still ours. ARGV: name, epoch.
local turn = key('shard', ARGV[1])
if redis.call('HGET', turn, 'epoch') == ARGV[2] then
  redis.call('HDEL', turn, 'owner', 'until')
end
