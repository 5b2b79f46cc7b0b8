-- A person said yes to the plan that is on file.
local id, op, fingerprint, by, why, expired, not_before, data = unpack(ARGV)
local now = now_ms()
local job = read(id)
if job == nil then
  return 'unknown job'
end
if job.approved == op then
  return 'queued' -- asked again because our answer was lost
end
if job.state ~= 'planned' then
  return 'wrong state'
end
if tonumber(redis.call('ZSCORE', key('drafts'), id) or '0') <= now and not has_time_of_whole(job) then
  finish(id, job, 'cancelled', 'coldmigrate', expired, now)
  return 'wrong state'
end
if job['data.fingerprint'] ~= fingerprint then
  return 'outdated'
end

job.lane, job.needs = job['data.link'] or LOCAL, job['data.needs'] or '[]'
redis.call('HSET', key('job', id), 'op', op, 'approved', op, 'lane', job.lane, 'needs', job.needs)
redis.call('ZREM', key('drafts'), id)
put_data(id, data)
step(id, 'queued', by, why, now)
act(id, 'approve', by, why)
if tonumber(not_before) > now then
  redis.call('ZADD', key('delayed'), not_before, id)
else
  make_ready(id, job)
end
return 'queued'
