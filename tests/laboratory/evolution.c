/* Evolution's look-up of an account: prints what it found.
 *
 *   evolution ADDRESS
 */
#include <stdio.h>
#include <evolution/mail/e-mail-autoconfig.h>

int main(int argc, char **argv)
{
    GError *error = NULL;
    ESourceRegistry *registry = e_source_registry_new_sync(NULL, &error);
    if (argc != 2 || registry == NULL) {
        fprintf(stderr, "%s\n", error ? error->message : "one address");
        return 2;
    }
    EMailAutoconfig *found = e_mail_autoconfig_new_sync(registry, argv[1], NULL, NULL, &error);
    if (found == NULL) {
        fprintf(stderr, "%s\n", error ? error->message : "nothing");
        return 1;
    }
    e_mail_autoconfig_dump_results(found);
    return 0;
}
