-- The lease ends now, and the new fence keeps a late renewal from bringing it back. Not a sign of a poisonous job.
local id, fence, op, by, why = unpack(ARGV)
local job = read(id)
if job ~= nil and job.op == op then
  return 1
end
if not holds(id, job, fence) then
  return 0
end
next_fence(id, job)
redis.call('HSET', key('job', id), 'op', op)
redis.call('HINCRBY', key('job', id), 'claims', -1)
redis.call('ZADD', key('lease'), whole(now_ms()), id)
tell(id, job.state, by, why)
return 1
