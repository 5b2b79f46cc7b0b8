-- Drafts that nobody took up and plans that nobody approved free their VM. One that is being worked on has time.
local approval, unapproved, unread = unpack(ARGV)
local now = now_ms()
local count = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('drafts'), '-inf', whole(now), 'LIMIT', 0, 100)) do
  local job = read(id)
  if job == nil then
    redis.call('ZREM', key('drafts'), id)
  elseif redis.call('ZSCORE', key('lease'), id) or has_time_of_whole(job) then
    redis.call('ZADD', key('drafts'), whole(now + tonumber(approval)), id)
  else
    finish(id, job, 'cancelled', 'coldmigrate', job.state == 'planned' and unapproved or unread, now)
    count = count + 1
  end
end
return count
