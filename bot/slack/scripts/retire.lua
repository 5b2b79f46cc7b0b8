-- Queue a last edit of a message whose job is no longer known: its buttons go.

local job, channel, at, text, blocks = unpack(ARGV)
local now = now_ms()
amend(job, channel, at, 'retired', '', text, blocks, now, now)
return 1
