-- For a test: two writes, the second to a key that may not be there.
redis.call('INCR', key('job', 'a'))
return redis.call('INCR', key('job', 'b'))
