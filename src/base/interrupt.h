/*
 * Being told to stop: Ctrl-C and its like end the program at once, with nothing half-written left
 * behind, and with the exit code that shells expect (128 and the signal's number: 130 for Ctrl-C).
 * Workers and other children end with their parent.
 */
#ifndef PLIMSOLL_BASE_INTERRUPT_H
#define PLIMSOLL_BASE_INTERRUPT_H

#include <stdint.h>

/* Called once, by main. A signal that the caller's caller ignores stays ignored. */
void interrupt_setup(void);

/* A file that is not whole yet, or a folder for such: removed when the program is stopped. The text
 * is copied; more than 64 at a time, or longer than a path, are not kept. */
void interrupt_remember(const char *path);
/* It is whole, or gone. */
void interrupt_forget(const char *path);

/* Between the two, signals wait: for a step that is short and must not be halved. They nest. */
void interrupt_hold(void);
void interrupt_release(void);

/* Ends the program with exit code 3 and a word on stderr after so long, whatever it is doing: the
 * last resort behind the limits of time that each part keeps itself. 0: never. */
void interrupt_after(int64_t milliseconds);

#endif
