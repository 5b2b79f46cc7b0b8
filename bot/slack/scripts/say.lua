-- Queue a message that belongs to no card, once for each subject. 1: queued; 0: it was queued or said before.

local subject, channel, below, text, blocks, keep = unpack(ARGV)
local card = key('card', subject)
redis.call('HSETNX', card, 'shown', '0') -- there is no card to wait for
if below ~= '' then
  redis.call('HSETNX', card, 'thread', below)
end
return thread('reply', subject, channel, 'said', NEWS, text, blocks, keep, now_ms()) and 1 or 0
