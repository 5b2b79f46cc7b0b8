-- Keeps what was read of one log and the place after it, all or nothing, if its shard is still ours.
-- ARGV: shard, epoch, host, log, kind, the mark of the write before, the mark of this one, cursor, near, then entries.
-- Asked twice, it keeps it once. Returns 'kept', 'fenced', or 'moved' when the write before is not the one we know.
if not is_ours(ARGV[1], ARGV[2]) then
  return 'fenced'
end
local place = place_of(ARGV[3], ARGV[4])
local last = redis.call('HGET', place, 'batch') or ''
if last == ARGV[7] then
  return 'kept'
end
if last ~= ARGV[6] and redis.call('EXISTS', place) == 1 then -- one that nothing came of for long is forgotten
  return 'moved'
end
for at = 10, #ARGV do
  add(ARGV[3], ARGV[4], ARGV[5], ARGV[at])
end
move(place, ARGV[8], ARGV[9])
redis.call('HSET', place, 'batch', ARGV[7])
return 'kept'
