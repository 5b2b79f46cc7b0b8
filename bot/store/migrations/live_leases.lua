-- How many jobs somebody is working on.
return redis.call('ZCOUNT', key('lease'), '(' .. whole(now_ms()), '+inf')
