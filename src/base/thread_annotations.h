#pragma once

// Names the mutex that guards a member. Clang checks it (-Wthread-safety) where the mutex type takes part; for other
// compilers it is a comment that stays beside the code.
#if defined(__clang__)
#define GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#else
#define GUARDED_BY(mutex)
#endif
