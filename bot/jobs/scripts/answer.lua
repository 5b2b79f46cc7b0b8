-- A person's answer to what an approved job asks before it starts: kept with the job, which is looked at now. A job that
-- does not ask (any more) takes none: it would be carried out whenever its VM is found running again.
local id, text, by, why = unpack(ARGV)
local now = now_ms()
local job = read_needed(id)
if job == nil then
  return 'unknown job'
end
if job.state ~= 'queued' or (redis.call('HGET', key('job', id), 'data.asks') or '') == '' then
  return 'wrong state'
end
redis.call('HSET', key('job', id), 'data.answer', text, 'updated', whole(now))
redis.call('ZADD', key('delayed'), 'XX', 'LT', whole(now), id)
tell(id, job.state, by, why)
act(id, text, by, why)
return 'heard'
