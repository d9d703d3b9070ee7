import type { ConsentTexts } from './consent-en.ts';

export const consent: ConsentTexts = {
  consentTitle: 'Diese Anwendung zulassen?',
  consentMeans:
    'Eine Anwendung, die Ihre Organisation nicht eingerichtet hat, bittet um Zugriff in Ihrem Namen. Bekannt ist sie durch die Adresse ihres Anbieters:',
  consentCallsItself: 'Sie nennt sich',
  consentUnknown:
    'Niemand hier hat geprüft, was sie ist. Lassen Sie sie nur zu, wenn Sie vertrauen, wer hinter dieser Adresse steht.',
  consentAt: 'Bei {api} möchte sie:',
  consentOfYou: 'Von Ihnen möchte sie wissen:',
  consentOpenid: 'dass Sie es sind, durch eine Kennung Ihres Kontos',
  consentProfile: 'Ihren Namen und Ihre Sprache',
  consentEmail: 'Ihre E-Mail-Adresse',
  consentOffline: 'all das, solange Sie angemeldet sind, auch während Sie sie nicht benutzen',
  consentGoesTo: 'Wenn Sie zustimmen, geht es weiter zu',
  consentLoopback:
    'Wenn Sie zustimmen, geht der Zugriff an ein Programm auf Ihrem eigenen Computer ({host}). Stimmen Sie nur zu, wenn Sie dieses Programm eben selbst gestartet haben.',
  consentAs: 'Sie sind angemeldet als {person}, bei {organization}.',
  consentAllow: 'Zulassen',
  consentRefuse: 'Nicht zulassen',
  consentUndo: 'Sie können das jederzeit auf Ihrer Kontoseite zurücknehmen.',
  consentChanged: 'Was die Anwendung verlangt, hat sich inzwischen geändert. Lesen Sie es noch einmal.',
  allowedTitle: 'Anwendungen, die Sie zugelassen haben',
  allowedMeans:
    'Niemand hier hat sie eingerichtet. Nehmen Sie zurück, was Sie nicht benutzen: Der Zugriff endet sofort.',
  allowedWithdraw: 'Zurücknehmen',
};
