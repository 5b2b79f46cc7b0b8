-- Where alerts go from now on. ARGV: channel, by.
redis.call('HSET', key('alerts'), 'channel', ARGV[1], 'by', ARGV[2], 'at', whole(now_ms()))
return 1
