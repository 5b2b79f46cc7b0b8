-- Redis has forgotten a card that may be there: it is looked for before one is posted. Its revisions begin beyond any
-- that an earlier message may bear.
local job, channel, since, keep = unpack(ARGV)
local card, record = key('card', job), key('outbox', 'card:' .. job)
if redis.call('EXISTS', card) == 1 or redis.call('EXISTS', record) == 1 then
  return 0
end
local now = now_ms()
redis.call('HSET', card, 'channel', channel, 'rev', whole(now))
redis.call('PEXPIRE', card, keep)
redis.call('HSET', record, 'kind', 'card', 'suspect', '1', 'tried', since, 'claimed', whole(now))
return 1
