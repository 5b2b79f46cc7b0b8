-- Keeps how far logs were read in which nothing was found. ARGV: shard, epoch, host, log, the mark of the last write that
-- had lines, cursor, near of each. One that overtook such a write must not take the place back before its lines.
-- Returns, for each, whether its shard is still ours.
local ours = {}
for at = 1, #ARGV, 7 do
  local yes = is_ours(ARGV[at], ARGV[at + 1])
  local place = place_of(ARGV[at + 2], ARGV[at + 3])
  if yes and (redis.call('HGET', place, 'batch') or '') == ARGV[at + 4] then
    move(place, ARGV[at + 5], ARGV[at + 6])
  elseif yes and redis.call('EXISTS', place) == 0 then -- forgotten, because nothing came of it for long
    move(place, ARGV[at + 5], ARGV[at + 6])
    redis.call('HSET', place, 'batch', ARGV[at + 4])
  end
  ours[#ours + 1] = yes and 1 or 0
end
return ours
