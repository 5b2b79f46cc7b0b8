-- Keep an inventory no longer. ARGV: vCenter, who kept it, why it could not be read if that is why.
local inventory = key('inv', ARGV[1])
if redis.call('HGET', inventory, 'owner') ~= ARGV[2] then
  return 0
end
redis.call('HDEL', inventory, 'owner', 'leased')
if ARGV[3] ~= '' then redis.call('HSET', inventory, 'trouble', ARGV[3]) end
return 1
