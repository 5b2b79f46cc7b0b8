-- The elected reader leaves: whoever is next need not wait for the lease to end. ARGV: log, epoch.
if text('epoch') == ARGV[4] then
  redis.call('HDEL', cursor, 'until', 'owner')
end
