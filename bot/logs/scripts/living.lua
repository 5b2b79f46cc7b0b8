-- Which watchers live. ARGV: ms without a sign after which one does not.
return redis.call('ZRANGEBYSCORE', key('watchers'), whole(now_ms() - tonumber(ARGV[1])), '+inf')
