-- A person said yes to the plan that is on file.
local id, op, fingerprint, by, why, expired = unpack(ARGV)
local now = now_ms()
local job = read(id)
if job == nil then
  return 'unknown job'
end
if job.op == op then
  return 'queued' -- asked again because our answer was lost
end
if job.state ~= 'planned' then
  return 'wrong state'
end
if tonumber(redis.call('ZSCORE', key('drafts'), id) or '0') <= now then
  finish(id, job, 'cancelled', 'coldmigrate', expired, now)
  return 'wrong state'
end
if job['data.fingerprint'] ~= fingerprint then
  return 'outdated'
end

job.lane = job['data.link'] or LOCAL
redis.call('HSET', key('job', id), 'op', op, 'lane', job.lane)
redis.call('ZREM', key('drafts'), id)
step(id, 'queued', by, why, now)
make_ready(id, job, now)
return 'queued'
