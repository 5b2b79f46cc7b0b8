-- Back in line for a while, in the same state. What has started keeps its slot; what was cancelled meanwhile ends.
local id, fence, op, by, why, delay, failed = unpack(ARGV)
local now = now_ms()
local job = read(id)
if job ~= nil and job.op == op then
  return 1
end
if not holds(id, job, fence) then
  return 0
end

redis.call('HSET', key('job', id), 'op', op, 'claims', 0)
if job.cancel_by ~= '' and not STARTED[job.state] then
  finish(id, job, 'cancelled', job.cancel_by, 'cancelled before anything was started', now)
  return 1
end
if failed ~= '' then
  local before = job.failing == failed and tonumber(job.failures) or 0
  redis.call('HSET', key('job', id), 'failing', failed, 'failures', before + 1)
end
redis.call('ZREM', key('lease'), id)
redis.call('ZADD', key('delayed'), whole(now + tonumber(delay)), id)
if not STARTED[job.state] then
  give_slots(id, job)
end
local steps = cjson.decode(job.steps or '[]')
local last = steps[#steps]
if failed == '' and last and last.state == job.state and last.why == why then
  redis.call('HSET', key('job', id), 'updated', whole(now)) -- a long wait must not crowd the rest out of the history
  tell(id, job.state, by, why)
else
  step(id, job.state, by, why, now)
end
return 1
