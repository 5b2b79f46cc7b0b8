-- Queue a direct message, once within `keep` for each subject. To the job's requester when nobody is named.
-- 1: queued; 0: this was said already, or there is nobody to say it to.

local subject, keep, job, people, text, blocks = unpack(ARGV)
local now = now_ms()
local users = cjson.decode(people)
if #users == 0 then
  users = { redis.call('HGET', key('card', job), 'requester') or nil }
end
if #users == 0 or not redis.call('SET', key('seen', 'note', subject), whole(now), 'NX', 'PX', keep) then
  return 0
end
for _, user in ipairs(users) do
  local id = 'note:' .. subject .. ':' .. user
  redis.call('HSET', key('outbox', id), 'kind', 'note', 'job', job, 'channel', user, 'name', subject,
    'lane', NEWS, 'text', text, 'blocks', blocks, 'plain', '0', 'created', whole(now))
  place(id, NEWS, now)
end
wake()
return 1
