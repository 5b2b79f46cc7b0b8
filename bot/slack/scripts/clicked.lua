-- A button of this job, or incident, was clicked in the message `ts`, empty for a reply: is that the job's card?
-- If the job has no message, this one may be it, and is looked at before another is posted. If it has another one,
-- the two are compared, and the one that was not saved becomes a pointer.

local job, channel, ts, keep = unpack(ARGV)
local card = key('card', job)
local now = now_ms()
if redis.call('EXISTS', key('job', job), key('incident', job)) == 0 and redis.call('HGET', card, 'of') ~= 'table' then
  return 'unknown job' -- a table may be about something that is no job: a hold
end
local saved, home = unpack(redis.call('HMGET', card, 'ts', 'channel'))
if ts == '' or saved == ts or (home and home ~= channel) then
  return 'card'
end
redis.call('HSET', card, 'hint', ts)
redis.call('PEXPIRE', card, keep)
if saved then
  amend(job, channel, ts, 'card', '', '', '[]', now, now)
end
return 'doubtful'
