-- At once if nothing has started and nobody works on it; else whoever works on it is asked to.
local id, op, by, cancelled, asked, waiting_only = unpack(ARGV)
local now = now_ms()
local job = read(id)
if job == nil then
  return 'unknown job'
end
if job.op == op then
  return 'cancelled' -- asked again because our answer was lost
end
if ENDED[job.state] then
  return 'ended'
end
if waiting_only == '1' and STARTED[job.state] then
  return 'started' -- what runs goes on
end

local lease = tonumber(redis.call('ZSCORE', key('lease'), id) or '0')
if lease <= now and not STARTED[job.state] then
  redis.call('HSET', key('job', id), 'op', op, 'cancel_by', by)
  finish(id, job, 'cancelled', by, cancelled, now)
  return 'cancelled'
end

if job.cancel_by == '' then
  redis.call('HSET', key('job', id), 'cancel_by', by)
  redis.call('ZADD', key('delayed'), 'XX', 'LT', whole(now), id) -- a worker should come for it now
  step(id, job.state, by, asked, now)
  act(id, 'cancel', by, asked)
end
return 'requested'
