-- One transition by the claim that holds the job and knows its state; nothing if it does not.
local id, fence, op, from, to, by, why, attempt, data, approval = unpack(ARGV)
local now, asked = now_ms(), to
local job = read_needed(id)

if job ~= nil and job.op == op then
  return record(id) -- asked again because our answer was lost
end
if not holds(id, job, fence) or job.state ~= from then
  return false
end

if to == 'planned' and job.cancel_by ~= '' then
  to, by, why = 'cancelled', job.cancel_by, 'cancelled while it was being checked'
end
if to == 'intent' and job.cancel_by ~= '' then
  to, by, why = 'cancelled', job.cancel_by, 'cancelled before anything was started'
end
if to == 'intent' and needs_held(job, (all_held())) then -- a call that came to nothing is not made again either
  redis.call('HSET', key('job', id), 'op', op, 'claims', 0)
  step(id, 'queued', by, 'held since it was claimed; nothing was started', now)
  put_back(id, job, now)
  return record(id)
end
put_data(id, data)
attempt = attempt ~= '' and attempt or job.attempt

-- Where just what was asked for was done, the claim knows the record by itself, all but the moment.
local answer = to == asked and job.cancel_by == '' and whole(now) or nil
if ENDED[to] then
  finish(id, job, to, by, why, now, true, 'op', op, 'claims', 0, 'failures', 0, 'attempt', attempt)
  return answer or record(id)
end
if to == 'planned' then
  redis.call('ZREM', key('lease'), id)
  give_slots(id, job)
  redis.call('ZADD', key('drafts'), whole(now + tonumber(approval)), id)
end
step_after(job.steps, id, to, by, why, now, 'op', op, 'claims', 0, 'failures', 0, 'attempt', attempt)
return answer or record(id)
