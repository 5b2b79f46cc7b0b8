-- Replace the inventory of a vCenter in one step, or only say that it is still so. ARGV: vCenter, version, rows.
local inventory = key('inv', ARGV[1])
redis.call('HSET', inventory, 'at', whole(now_ms()))
redis.call('HDEL', inventory, 'trouble')
if redis.call('HGET', inventory, 'version') ~= ARGV[2] then
  redis.call('HSET', inventory, 'version', ARGV[2], 'rows', ARGV[3])
end
