-- A part of a batch: it never has a card of its own, and what is said of it goes below the batch's. Once for all.

local job, batch, keep = unpack(ARGV)
redis.call('HSETNX', key('card', job), 'into', batch)
redis.call('PEXPIRE', key('card', job), keep)
return 1
