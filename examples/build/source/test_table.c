#include "words.h"

#include <string.h>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            return 1; \
        } \
    } while (0)

int main(void)
{
    struct words words = {0};
    CHECK(words_add(&words, "one", 3) == 0);
    CHECK(words_add(&words, "two", 3) == 0);
    CHECK(words_add(&words, "two", 3) == 0);
    CHECK(words.length == 2);
    words_sort(&words);
    CHECK(words.all[0].count == 2);
    CHECK(strcmp(words.all[0].text, "two") == 0);
    return 0;
}
