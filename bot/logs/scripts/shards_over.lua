-- A watcher leaves in peace: what it held is free at once, and nobody has to mourn. ARGV: watcher, `<shard>.<epoch>`...
for at = 2, #ARGV do
  local number, epoch = string.match(ARGV[at], '^(%d+)%.(%d+)$')
  local shard = key('shard', number)
  if redis.call('HGET', shard, 'epoch') == epoch then
    redis.call('HDEL', shard, 'owner', 'until')
  end
end
redis.call('ZREM', key('watchers'), ARGV[1])
redis.call('DEL', key('watch', ARGV[1]))
