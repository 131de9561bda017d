package dev.caravan.access;

import java.net.URL;

/**
 * Whose tokens are taken.
 *
 * @param jwks where the public keys are (https, http or file)
 * @param issuer the only {@code iss}
 * @param audience must be in {@code aud}
 * @param tenantClaim the claim that names the tenant
 * @param roleClaim the claim that has the role: a text or a list of texts
 */
public record JwtTrust(
    URL jwks, String issuer, String audience, String tenantClaim, String roleClaim) {}
