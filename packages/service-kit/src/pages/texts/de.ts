import type { Errors, Frame } from './en.ts';

export const frame: Frame = {
  forHelp: 'Wenn Sie um Hilfe bitten, geben Sie dies weiter:',
  reference: 'Referenz',
  code: 'Code',
  back: 'Zurück zu {name}',
  reload: 'Seite neu öffnen',
};

export const errors: Errors = {
  other: [
    'Das hat nicht funktioniert',
    'Was Sie tun wollten, wurde abgelehnt.',
    'Beginnen Sie in Ihrer Anwendung von vorn. Wenn es wieder geschieht, fragen Sie Ihre Administration.',
  ],
  internal: [
    'Etwas ist schiefgegangen',
    'Der Fehler liegt bei uns, nicht bei Ihnen.',
    'Versuchen Sie es gleich noch einmal. Wenn es wieder geschieht, melden Sie es Ihrer Administration.',
  ],
  unreadable: [
    'Diese Anfrage war nicht zu verstehen',
    'Ihr Browser hat etwas geschickt, das diese Seite nicht erwartet, oder mehr, als sie annimmt.',
    'Gehen Sie zurück zu Ihrer Anwendung und beginnen Sie dort von vorn.',
  ],
  not_found: [
    'Hier ist nichts',
    'Die Adresse stimmt nicht, oder was hier war, ist nicht mehr da.',
    'Prüfen Sie die Adresse, oder beginnen Sie in Ihrer Anwendung von vorn.',
  ],
  access_denied: [
    'Das dürfen Sie nicht',
    'Ihrem Konto fehlt das Recht, das dafür nötig ist.',
    'Bitten Sie die Administration Ihrer Organisation darum.',
  ],
  conflict: [
    'Es wurde gleichzeitig geändert',
    'Jemand anderes oder ein anderer Tab von Ihnen war schneller.',
    'Öffnen Sie die Seite neu und wiederholen Sie Ihre Änderung.',
  ],
  rate_limited: [
    'Zu viele Anfragen',
    'Aus Ihrem Netz kamen mehr Anfragen, als in einer Minute beantwortet werden.',
    'Warten Sie {seconds, plural, one {# Sekunde} other {# Sekunden}} und versuchen Sie es dann noch einmal.',
  ],
  dependency_unavailable: [
    'Das geht gerade nicht',
    'Ein Teil des Dienstes antwortet im Moment nicht. Mit Ihrem Konto ist alles in Ordnung.',
    'Warten Sie {seconds, plural, one {# Sekunde} other {# Sekunden}} und beginnen Sie dann in Ihrer Anwendung ' +
      'von vorn.',
  ],
  tenant_suspended: [
    'Der Zugang Ihrer Organisation ist gesperrt',
    'Aus Ihrer Organisation kann sich zurzeit niemand anmelden.',
    'Fragen Sie die Administration Ihrer Organisation.',
  ],
  user_deactivated: [
    'Ihr Konto ist deaktiviert',
    'Sie können dieses Konto zurzeit nicht benutzen.',
    'Bitten Sie die Administration Ihrer Organisation, es wieder zu aktivieren.',
  ],
  identity_conflict: [
    'Ihr Konto war nicht zuzuordnen',
    'Jemand in Ihrer Organisation hat Ihre E-Mail-Adresse oder Kennung bereits, und es steht nicht fest, dass Sie das sind.',
    'Melden Sie sich wie bisher an und verknüpfen Sie diese Anmeldung dort, oder bitten Sie Ihre Administration darum.',
  ],
  identity_taken: [
    'Diese Anmeldung ist schon verknüpft',
    'Sie gehört zu einem anderen Konto, oder Ihr Konto hat schon eine andere Anmeldung dieser Art.',
    'Bitten Sie die Administration Ihrer Organisation, zuerst jene Verknüpfung zu lösen.',
  ],
  link_needs_sign_in: [
    'Bitte melden Sie sich zuerst wie gewohnt an',
    'Eine weitere Anmeldung wird nur gleich nach einer Anmeldung mit Ihrem Konto verknüpft.',
    'Melden Sie sich in Ihrer Anwendung wie gewohnt an und verknüpfen Sie die andere Anmeldung dann erneut.',
  ],
  link_declined: [
    'Es wurde nichts verknüpft',
    'Sie wollten diese Anmeldung nicht verknüpfen.',
    'Sie können zu Ihrer Anwendung zurückgehen.',
  ],
  identity_unknown: [
    'Sie haben hier kein Konto',
    'Ihre Organisation hat bestätigt, wer Sie sind, aber niemand hat Sie hier hinzugefügt.',
    'Bitten Sie die Administration Ihrer Organisation, Sie hinzuzufügen.',
  ],
  connection_not_active: [
    'Dieser Anmeldeweg ist geschlossen',
    'Ihre Organisation benutzt ihn nicht mehr oder noch nicht.',
    'Beginnen Sie in Ihrer Anwendung von vorn. Wenn es wieder geschieht, fragen Sie Ihre Administration.',
  ],
  setup_link_over: [
    'Dieser Link gilt nicht mehr',
    'Er ist abgelaufen, wurde zurückgezogen oder ist nicht vollständig.',
    'Prüfen Sie, ob Sie die ganze Adresse haben, oder bitten Sie den Absender um einen neuen Link.',
  ],
  connection_untested: [
    'Die Anmeldung ist noch nicht getestet',
    'Mit den jetzigen Einstellungen hat sich noch niemand zum Test angemeldet.',
    'Öffnen Sie die Seite neu und testen Sie zuerst die Anmeldung.',
  ],
  domain_enforced: [
    'Sie melden sich auf anderem Weg an',
    'Ihre Organisation lässt Personen mit Ihrer E-Mail-Adresse an anderer Stelle anmelden.',
    'Beginnen Sie in Ihrer Anwendung von vorn und geben Sie Ihre E-Mail-Adresse ein: Sie führt an die richtige Stelle.',
  ],
  missing_auth_key: [
    'Es ist nicht klar, wo Sie sich anmelden',
    'Die Seite, von der Sie kommen, sagt nicht, welche Anmeldung sie meint.',
    'Melden Sie es den Betreibern der Seite. Sie haben nichts falsch gemacht.',
  ],
  unknown_auth_key: [
    'Diese Anmeldung gibt es nicht',
    'Die Seite, von der Sie kommen, nennt eine Anmeldung, die es hier nicht gibt.',
    'Melden Sie es den Betreibern der Seite. Sie haben nichts falsch gemacht.',
  ],
  origin_not_allowed: [
    'Diese Seite darf den Assistenten nicht zeigen',
    'Die Seite, von der Sie kommen, gehört nicht zu denen, die Ihre Organisation erlaubt.',
    'Melden Sie es den Betreibern der Seite oder Ihrer Administration.',
  ],
  redirect_uri_mismatch: [
    'Die Anmeldung ist nicht vollständig eingerichtet',
    'Eine Adresse, an die sie zurückführt, ist nicht eingetragen.',
    'Melden Sie es Ihrer Administration. Ein neuer Versuch hilft nicht.',
  ],
  redirect_loop: [
    'Sie wurden im Kreis geschickt',
    'Die Seite, von der Sie kommen, hat Sie immer wieder zur Anmeldung geschickt. Wir haben das beendet.',
    'Warten Sie eine Minute und öffnen Sie die Seite neu. Wenn es wieder geschieht, melden Sie es den Betreibern.',
  ],
  cookies_blocked: [
    'Ihr Browser behält keine Cookies',
    'Ohne sie kann hier niemand angemeldet werden.',
    'Erlauben Sie Cookies für diese Adresse und beginnen Sie auf der Seite, von der Sie kommen, von vorn.',
  ],
  sign_in_expired: [
    'Diese Anmeldung ist vorbei',
    'Sie hat zu lange gedauert, wurde schon benutzt oder begann in einem anderen Browser.',
    'Beginnen Sie in Ihrer Anwendung von vorn.',
  ],
  sign_in_failed: [
    'Die Anmeldung war nicht möglich',
    'Sie sind nicht angemeldet.',
    'Beginnen Sie in Ihrer Anwendung von vorn. Wenn es wieder geschieht, melden Sie es Ihrer Administration.',
  ],
  'sign_in_failed.refused': [
    'Ihre Organisation hat Sie nicht angemeldet',
    'Ihre Anmeldeseite hat abgelehnt, oder Sie haben dort abgebrochen.',
    'Beginnen Sie in Ihrer Anwendung von vorn. Wenn Sie nicht abgebrochen haben, fragen Sie Ihre ' +
      'Administration, ob Sie sie benutzen dürfen.',
  ],
  'sign_in_failed.unanswered': [
    'Die Anmeldung Ihrer Organisation antwortet nicht',
    'Wir konnten sie nicht erreichen, oder sie hat zu lange gebraucht.',
    'Versuchen Sie es in einigen Minuten noch einmal. Wenn es so bleibt, melden Sie es Ihrer Administration.',
  ],
  'sign_in_failed.unacceptable': [
    'Die Antwort Ihrer Organisation war nicht anzunehmen',
    'Ihre Anmeldeseite hat geantwortet, aber in der Antwort ist etwas falsch oder fehlt. Sie haben nichts ' +
      'falsch gemacht.',
    'Melden Sie es Ihrer Administration. Ein neuer Versuch hilft selten.',
  ],
  'sign_in_failed.outdated': [
    'Bitte melden Sie sich noch einmal an',
    'Was die Anmeldeseite Ihrer Organisation geschickt hat, gehört zu einer früheren Anmeldung oder zu einer, ' +
      'die nicht hier begann.',
    'Beginnen Sie in Ihrer Anwendung von vorn. Wenn es wieder geschieht, melden Sie sich vorher bei Ihrer ' +
      'Organisation ab.',
  ],
  'sign_in_failed.other_organization': [
    'Sie sind bei einer anderen Organisation angemeldet',
    'Diese Seite gehört zu einer anderen Organisation als der, bei der Sie sich angemeldet haben.',
    'Melden Sie sich ab, öffnen Sie die Seite neu und melden Sie sich bei ihrer Organisation an.',
  ],
  'sign_in_failed.no_access': [
    'Der andere Dienst hat keinen Zugriff gegeben',
    'Er hat geantwortet, aber in der Antwort ist etwas falsch oder fehlt. Es wurde nichts verbunden.',
    'Öffnen Sie die Seite neu. Wenn es wieder geschieht, melden Sie es Ihrer Administration.',
  ],
  'sign_in_failed.nothing_granted': [
    'Der andere Dienst hat auf nichts Zugriff gegeben',
    'Er hat nichts von dem erlaubt, was verlangt war. Es wurde nichts verbunden.',
    'Öffnen Sie die Seite neu und erlauben Sie dort, was für Sie getan werden soll.',
  ],
  'sign_in_failed.too_much_granted': [
    'Der andere Dienst hat zu viel Zugriff gegeben',
    'Er hat mehr gegeben, als Sie erlaubt haben. Es wurde nichts verbunden.',
    'Melden Sie es Ihrer Administration.',
  ],
  sign_out_refused: [
    'Die Abmeldung war nicht möglich',
    'Was die Anmeldeseite Ihrer Organisation dazu sagt, war nicht zu prüfen. Vielleicht sind Sie noch angemeldet.',
    'Melden Sie sich in Ihrer Anwendung ab.',
  ],
  scope_unknown: [
    'Diesen Zugriff gibt es nicht',
    'Das Formular verlangt einen Zugriff, der nicht oder nicht mehr angeboten wird.',
    'Öffnen Sie die Seite neu und wählen Sie aus, was sie zeigt.',
  ],
  installation_state: [
    'Das lässt sich jetzt nicht verbinden',
    'Die Administration hat inzwischen etwas geändert.',
    'Fragen Sie die Administration Ihrer Organisation.',
  ],
  consent_expired: [
    'Diese Anfrage ist vorbei',
    'Sie wurde schon beantwortet, hat zu lange gedauert oder wurde zurückgezogen.',
    'Öffnen Sie die Seite neu. Wenn auch das vorbei ist, bitten Sie die Administration, neu zu beginnen.',
  ],
  csrf_mismatch: [
    'Das Formular ist veraltet',
    'Es wurde nicht in diesem Browser geöffnet, oder Sie haben sich seitdem an- oder abgemeldet.',
    'Öffnen Sie die Seite neu und wiederholen Sie, was Sie getan haben.',
  ],
};
