-- The elected reader tells what it read, moves the cursor and renews its lease, all or nothing.
-- ARGV: log, epoch, lease in ms, entries to keep, next, mark, near, blind, ms since the look before (0: this is none),
-- how many logs our process reads if it would yield this one (else 0), then kind, number, text of each entry. `next` empty: the place is not known yet, or stays as it is.
-- Returns 'fenced', 'unwanted', 'yield' when another process that reads fewer would have this log, 'go on', or 'at
-- leisure' when nobody but the watch wants it.
if text('epoch') ~= ARGV[4] then
  return 'fenced'
end
redis.call('HSET', cursor, 'until', whole(now + tonumber(ARGV[5])))
if ARGV[7] ~= '' then
  redis.call('HSET', cursor, 'next', ARGV[7], 'mark', ARGV[8], 'near', ARGV[9])
end
if ARGV[10] == '' then
  redis.call('HDEL', cursor, 'blind', 'blind_at')
elseif text('blind') ~= ARGV[10] then
  redis.call('HSET', cursor, 'blind', ARGV[10], 'blind_at', whole(now))
end
if ARGV[11] ~= '0' then
  redis.call('HSET', cursor, 'every', ARGV[11])
end
for at = 13, #ARGV, 3 do
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[6], '*',
    'kind', ARGV[at], 'number', ARGV[at + 1], 'text', ARGV[at + 2], 'at', whole(now))
end
keep()
if number('wanted_until') < now then
  return 'unwanted'
end
local mine = tonumber(ARGV[12])
if mine > 0 and number('rival_at') + tonumber(ARGV[5]) > now and number('rival') + 2 <= mine then
  redis.call('HDEL', cursor, 'rival', 'rival_at')
  return 'yield'
end
if number('hurry_until') < now then
  return 'at leisure'
end
return 'go on'
