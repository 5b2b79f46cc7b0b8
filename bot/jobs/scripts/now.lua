-- The clock that decides everything, for people and for tests.
return whole(now_ms())
