import type { BotTexts } from './bots-en.ts';

export const bots: BotTexts = {
  botSignInTitle: 'Bei {bot} anmelden?',
  botSignInMeans: '{bot} möchte in dem Chat, der Sie hierher geführt hat ({channel}), für Sie handeln.',
  botSignInAt: 'Bei {api} darf es:',
  botSignInOnly:
    'Fahren Sie nur fort, wenn Sie das gerade selbst in Ihrem eigenen Chat verlangt haben. Hat Ihnen jemand diesen Link geschickt, schließen Sie die Seite.',
  botSignInAs: 'Sie sind angemeldet als {person}.',
  botSignInAllow: 'Dort anmelden',
  botSignInRefuse: 'Nicht anmelden',
  botCodeTitle: 'Geben Sie diesen Code im Chat ein',
  botCodeMeans: 'Er gilt fünf Minuten lang und ein Mal.',
  botCodeKeep: 'Geben Sie ihn niemandem: Wer ihn hat, handelt in seinem Chat als Sie.',
  botDoneTitle: 'Sie sind bei {bot} angemeldet',
  botDoneMeans: 'Gehen Sie zum Chat zurück. Sie können diese Seite schließen.',
  botRefusedTitle: 'Sie sind bei {bot} nicht angemeldet',
  botRefusedMeans: 'Der Chat geht ohne Anmeldung weiter. Sie können diese Seite schließen.',
  botOtherTitle: 'Dieser Chat gehört jemand anderem',
  botOtherMeans:
    'Eine andere Person Ihrer Organisation benutzt ihn mit {bot}. Öffnen Sie einen eigenen Chat und melden Sie sich von dort an.',
};
