#ifndef WORDS_H
#define WORDS_H

#include <stdio.h>

/* One word and how often it came. */
struct word {
    char *text;
    size_t count;
};

/* Words in the order in which they came up first. */
struct words {
    struct word *all;
    size_t length, room;
};

/* Count a word once more; -1 where memory is short. */
int words_add(struct words *words, const char *text, size_t length);

/* The most frequent first; of equal ones the one that came up first. */
void words_sort(struct words *words);

/* Read all words of a file; -1 where that fails. */
int words_read(struct words *words, FILE *file);

#endif
