/** Short, so that a withdrawn or replaced record is soon forgotten everywhere. It must end before the offer does. */
export const RECORD_TTL_SECONDS = 60
