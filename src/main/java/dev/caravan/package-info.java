/** The application: reads its settings, starts what they ask for, shows what happens. */
package dev.caravan;
