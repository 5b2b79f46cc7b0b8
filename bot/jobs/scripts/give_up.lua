-- Its handler cannot deal with it.
local id, fence, op, by, why = unpack(ARGV)
local job = read(id)
if job ~= nil and job.op == op then
  return record(id)
end
if not holds(id, job, fence) then
  return false
end
redis.call('HSET', key('job', id), 'op', op)
bury(id, job, by, why, now_ms())
return record(id)
