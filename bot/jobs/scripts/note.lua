-- Fields without a transition; the answer is who asked to cancel.
local id, fence, data = unpack(ARGV)
local job = read_needed(id)
if not holds(id, job, fence) then
  return false
end
put_data(id, data)
redis.call('HSET', key('job', id), 'updated', whole(now_ms()))
return job.cancel_by
