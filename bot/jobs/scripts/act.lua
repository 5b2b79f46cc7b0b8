-- An act of which no other script knows.
local on, verb, by, why = unpack(ARGV)
act(on, verb, by, why)
return 1
