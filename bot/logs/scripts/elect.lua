-- Who reads this log for everybody? ARGV: log, owner, lease in ms, how many logs the asking process reads.
-- Who is refused leaves word of that number, so that a process that reads many more may yield.
-- Returns 'unwanted', 'held', or the new epoch with the place to go on from.
if number('wanted_until') < now then
  return { 'unwanted' }
end
if number('until') > now and text('owner') ~= ARGV[4] then
  redis.call('HSET', cursor, 'rival', ARGV[6], 'rival_at', whole(now))
  return { 'held' }
end
local epoch = redis.call('HINCRBY', cursor, 'epoch', 1)
redis.call('HSET', cursor, 'owner', ARGV[4], 'until', whole(now + tonumber(ARGV[5])))
return { 'elected', whole(epoch), text('next'), text('mark'), text('near'), text('blind') }
